"""What others hear of a task: its log, XComs, metrics and lineage."""
