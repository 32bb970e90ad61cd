"""The HTTP side of the balance: one module per resource, shapes beside in shapes.py."""
