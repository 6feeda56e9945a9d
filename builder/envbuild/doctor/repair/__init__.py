"""Repairs that can be undone: their plan, their journal, and the way back."""
