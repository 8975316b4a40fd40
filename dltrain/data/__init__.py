"""Datasets: fetch, prepare, split, tokenize, augment, batch."""
