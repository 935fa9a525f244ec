"""The workout log: sessions and sets in one SQLite file, what the user says of them, and figures over them."""
