"""When to poll a video task, and when to stop. Decisions only."""
