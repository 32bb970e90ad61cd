"""What a seller is given of what is reported of them: the same figures, for people."""
