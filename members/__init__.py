"""Members: who they are, how they sign in, where they trade, whom they block and what they may not do."""
