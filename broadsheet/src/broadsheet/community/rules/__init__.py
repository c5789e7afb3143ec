"""Pure rules of community. Import the module that you need: voting, commenting, moderating."""
