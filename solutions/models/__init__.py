"""Behind the chapters: how models hold weights, write text and are configured."""
