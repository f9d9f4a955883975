"""A run told to trackers. jsonl is the truth; what a tracker misses is sent later."""
