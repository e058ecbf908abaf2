"""luigid: who is connected, who runs what, and the server around it."""
