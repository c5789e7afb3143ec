"""Every question about what readers follow and are sent."""
