"""What was taught and finished: courses, titles, completions and the evidence for them."""
