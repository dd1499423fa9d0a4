"""What one heart, or one group of hearts, is to another: numpy in, numbers out."""
