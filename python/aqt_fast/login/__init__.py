"""Access tokens: store, request and renew them.

::

    tokens      the files of the last login
    config      how to log in; requires the ``login`` extra
    connector   logging in and renewing, with ``aqt-connector``
"""
