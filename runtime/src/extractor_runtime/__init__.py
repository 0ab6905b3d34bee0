"""Ray Data and Ray Serve around an author's code, and everything that the author may import."""
