"""A local server of AQT's interfaces, for tests, demonstrations and benchmarks (extra ``server``).

Start it from Python with :class:`aqt_fast.testing.ArnicaServer`, from the shell with
``aqt-fast serve``. Of this package it imports only ``_native`` and ``exceptions``: it stands for
another party.

The files, in the order in which a request passes them::

    arnica            ArnicaServer: builds everything below, and steers it for tests
    arguments         the arguments of ArnicaServer, and what each may be
    checks            checks of arguments, which name the culprit
    addresses         where the server listens, and which names are this computer's own
    http_server       the socket and its thread: start, stop, reset connections
    connection        one connection of a client: HTTP by uvicorn, with limits
    limits            what a client may send and leave undone, and how much is kept
    request_log       tells of each request after its answer
    gate              middleware that turns away pages of other sites
    fault_injection   middleware that breaks requests and responses
    faults            the kinds of faults, and the choice of the next one
    app               all routes, compression, error responses
    oidc              the login: device code, client credentials, refresh tokens
    device_codes      codes of the login with a device: who may redeem them, and when
    log_in_page       the page on which a person confirms a login
    access_tokens     bearer tokens, and the workspaces that each one opens
    cloud             the cloud interface (ARNICA), route by route
    direct            the direct-access interface, route by route
    control           what other processes and the page see, and how they steer the server
    pages             the pages for people, from the folder ``page``; ``/health``
    openapi           ``/openapi.json``: what all interfaces take and answer
    bodies            read request bodies in a thread, write response bodies
    sampler           what a sampler must do; digests of circuits
    aer_sampler       validate with AQT's models, simulate with Aer
    native_sampler    validate natively, make outcomes up
    control_client    steers a server from another process
    portal            accept, find, fetch and cancel jobs
    retention         the jobs that are remembered; identifiers
    workspaces        workspaces and resources
    figures           what devices publish of themselves
    jobs              one job: its status changes, circuits and result
    machines          queues and threads that run the jobs; hold, release, fail
    device_time       how long machines take
    clock             the server's time, which tests can put forward
    record            what the server tells about the jobs that it accepted
    overview          machines, workspaces and jobs, as ``control`` shows them
    circuit_view      one circuit and its counts, as ``control`` shows them
    cloud_responses   JSON of the cloud interface's responses
    errors            a refused request: HTTP status and detail
"""
