"""Word vectors beyond the chapter: their files, their training at speed, their evaluation."""
