"""Models and measurements that run on this machine: pixels and read text in, typed readings out.

Plain Python: no Django, no database, no network. The steps that turn a reading into a proposal for a listing
are elsewhere in ``ai_suggestions``; ``ai_suggestions/models_data/MODEL_CARD.md`` says what the models are and
how good.
"""
