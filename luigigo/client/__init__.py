"""Luigi as a client runs it: on this machine or over a cluster; its workers, signals and exit codes."""
