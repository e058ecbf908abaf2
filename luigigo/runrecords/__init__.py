"""What a run leaves behind for who wants to know how it went."""
