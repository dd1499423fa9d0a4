"""One person beside what is normal for people like them."""
