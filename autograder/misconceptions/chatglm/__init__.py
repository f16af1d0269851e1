"""Wrong answers that students give in chapter 8, one module an exercise."""
