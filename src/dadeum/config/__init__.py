"""The experiment file: its sections, how it is read, and its JSON Schema. Names no member of any family."""
