"""The numbers behind curves: the same for plots, the server's pages and the terminal."""
