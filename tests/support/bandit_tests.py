"""Each of bandit's tests: is it about something that our rules refuse, and which of them; or why not.

Where bandit is about a module that nothing may import, the import is what we refuse.
"""

_NO_IMPORT = "C03"
_NAMED = "C04"
_NAME = "C05"
_MEMBER = "C06"
_UNSAFE = "C10"

SHARED: dict[str, set[str]] = {
    # Code that is made of data.
    "B102": {_NAME},  # exec
    "B307": {_NAME},  # eval
    "B301": {_NO_IMPORT, _NAMED, _UNSAFE},  # pickle, dill, shelve, jsonpickle, pandas.read_pickle
    "B302": {_NAMED},  # marshal
    "B403": {_NAMED, _NAME},  # import pickle; also through importlib and __import__
    "B506": {_UNSAFE},  # yaml.load
    "B612": {_NAMED, _MEMBER},  # logging.config.listen
    "B614": {_UNSAFE},  # torch.load
    "B613": {"C01"},  # bidirectional control characters
    # Processes, and files that are not the extractor's.
    "B404": {_NO_IMPORT, _NAMED, _NAME, _MEMBER},  # import subprocess
    "B602": {_NO_IMPORT, _NAMED, _MEMBER},
    "B603": {_NO_IMPORT, _NAMED, _MEMBER},
    "B604": {_NO_IMPORT, _NAMED, _MEMBER},
    "B605": {_NO_IMPORT, _NAMED, _MEMBER},  # os.system, popen2, commands
    "B606": {_MEMBER},  # os.exec*, os.spawn*, os.startfile
    "B607": {_NO_IMPORT, _NAMED, _MEMBER},
    "B609": {_NAMED, _MEMBER},
    "B103": {_MEMBER},  # os.chmod
    "B202": {_NO_IMPORT},  # tarfile
    # The network, apart from the clients that extractors have.
    "B310": {_NO_IMPORT, _NAMED, _MEMBER},  # urllib.request, six
    "B312": {_NAMED},  # telnetlib
    "B321": {_NAMED},  # ftplib
    "B323": {_NAMED, _MEMBER},  # ssl
    "B401": {_NAMED},
    "B402": {_NAMED},
    "B411": {_NAMED},  # xmlrpc
    "B412": {_NO_IMPORT},  # CGI
    "B415": {_NO_IMPORT},  # pyghmi
    "B502": {_NO_IMPORT, _NAMED},  # ssl, pyOpenSSL
    "B503": {_NO_IMPORT, _NAMED},
    "B504": {_NAMED},
    "B507": {_NO_IMPORT},  # paramiko
    "B508": {_NO_IMPORT},  # pysnmp
    "B509": {_NO_IMPORT},
    "B601": {_NO_IMPORT},  # paramiko
    # Parsers and ciphers that an extractor does not have.
    **{test: {_NO_IMPORT} for test in ("B313", "B314", "B315", "B316", "B317", "B318", "B319")},  # xml
    **{test: {_NO_IMPORT} for test in ("B405", "B406", "B407", "B408", "B409")},
    **{test: {_NO_IMPORT} for test in ("B303", "B304", "B305", "B413", "B505")},  # pycrypto, cryptography
    # Web frameworks and their templates.
    "B201": {_NO_IMPORT},  # flask
    "B308": {_NO_IMPORT},  # django
    "B610": {_NO_IMPORT},
    "B611": {_NO_IMPORT},
    "B703": {_NO_IMPORT},
    "B701": {_NO_IMPORT},  # jinja2
    "B702": {_NO_IMPORT},  # mako
    "B704": {_NO_IMPORT},  # markupsafe
}

_SECRETS = "not every string in such a name is a password: S01 refuses what is a secret for certain"
_QUALITY = "about quality, not about what code can reach"

NOT_SHARED = {
    "B101": _QUALITY,
    "B110": _QUALITY,
    "B112": _QUALITY,
    "B113": "an honest author forgets a time-out; the runtime bounds a request's time from outside",
    "B105": _SECRETS,
    "B106": _SECRETS,
    "B107": _SECRETS,
    "B104": "an address in a string binds nothing: the policy has no sockets to bind",
    "B108": "a path in a string opens nothing: the policy refuses `open`, and the pod has its own /tmp",
    "B306": "a race for a name in a folder that belongs to the pod alone",
    "B311": "sampling is what `random` is for; an extractor has no keys to make",
    "B324": "md5 and sha1 make ids of contents here, no signatures",
    "B501": "whom an extractor may talk to is the operator's egress policy; what it hears is data",
    "B608": "an extractor has no database, and its name for a query proves nothing",
    "B615": "the revision of a model changes what is computed, not what may run: weights are loaded safely",
}
