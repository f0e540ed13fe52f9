"""The explorers as one web page: a server of its own process (`server`), and what its kernel shows (`room`)."""
