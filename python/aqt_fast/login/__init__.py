"""Access tokens: where they are kept, how to get and renew them.

::

    tokens      the files of the last login
    config      how to log in; needs the extra ``login``
    connector   logging in and renewing, through ``aqt-connector``
"""
