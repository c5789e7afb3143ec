"""Every change of what readers follow and are sent."""
