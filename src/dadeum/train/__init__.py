"""The only training loop, its objectives, optimizers and hooks."""
