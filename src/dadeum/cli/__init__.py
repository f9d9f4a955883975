"""The command line. Imports heavy things only inside the verb that needs them."""
