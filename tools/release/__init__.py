"""What has to be true before a release, as a list that a program goes through (``make release-check``)."""
