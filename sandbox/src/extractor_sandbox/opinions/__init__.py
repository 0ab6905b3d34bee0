"""Second opinions on an accepted archive: bandit, detect-secrets, and advisories on what it depends on.

They only warn, whatever they say; but one that was asked for and came to no end rejects. Their tools are the
extra ``extractor-sandbox[opinions]``, and parse hostile files in processes of their own: `panel` starts them.
"""
