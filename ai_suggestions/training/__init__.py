"""Training, export and scoring of the garment classifier; a command of its own, never imported by the
service.
"""
