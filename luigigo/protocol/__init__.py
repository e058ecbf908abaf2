"""What luigid, workers and clients say to one another, and the channel that carries it."""
