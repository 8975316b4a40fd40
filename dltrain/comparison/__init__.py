"""Runs beside each other: which differ, in what, and by more than chance?"""
