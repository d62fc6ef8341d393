"""Resources of AQT's portal.

::

    backend       CloudResource
    connection    the portal's client, and the threads that jobs share
    execution     a batch in as many API jobs as it takes
    endpoint      the portal, as API jobs see it
    poller        which API job is asked for when
"""
