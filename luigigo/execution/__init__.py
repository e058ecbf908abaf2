"""Running the actions of a plan on one node: staging inputs, running tools, publishing outputs."""
