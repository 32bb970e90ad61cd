"""The LLM provider of suggestions: one call to a chat.completions endpoint, checked before it is believed.

``provider.LlmProvider`` is the provider; ``combined`` puts it before, behind or beside another one. The core
knows no Django: what it remembers goes through the protocols in ``state`` and ``budget``.
"""
