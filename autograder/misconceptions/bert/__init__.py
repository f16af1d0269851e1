"""Wrong answers that students give in chapter 6, one module an exercise."""
