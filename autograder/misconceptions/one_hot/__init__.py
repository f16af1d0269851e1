"""Wrong answers that students give in chapter 1, one module an exercise."""
