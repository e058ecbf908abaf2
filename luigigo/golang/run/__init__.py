"""Running the actions of Go on one node: staging inputs, running tools, publishing outputs."""
