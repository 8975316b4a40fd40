"""Which pictures are drawn of a run, from its files alone?"""
