"""Proposals for a listing that the seller may take, change or leave."""
