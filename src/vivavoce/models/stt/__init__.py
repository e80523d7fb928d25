"""Recognition: sound to words."""
