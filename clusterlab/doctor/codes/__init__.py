"""The diagnoses, each a module of its own.

1xx hosts and engines, 2xx the Swarm, 3xx networks, 4xx volumes and NFS.
"""

from __future__ import annotations

from clusterlab.doctor.diagnosis import Diagnosis
from clusterlab.registry import Registry

from . import (
    cl100,
    cl101,
    cl102,
    cl103,
    cl104,
    cl105,
    cl106,
    cl107,
    cl108,
    cl109,
    cl110,
    cl111,
    cl112,
    cl201,
    cl202,
    cl203,
    cl204,
    cl205,
    cl206,
    cl207,
    cl208,
    cl209,
    cl210,
    cl211,
    cl212,
    cl213,
    cl214,
    cl215,
    cl216,
    cl217,
    cl218,
    cl219,
    cl301,
    cl302,
    cl303,
    cl304,
    cl305,
    cl306,
    cl307,
    cl308,
    cl309,
    cl310,
    cl311,
    cl312,
    cl313,
    cl401,
    cl402,
    cl403,
    cl404,
    cl405,
    cl406,
    cl407,
    cl408,
    cl409,
    cl410,
    cl411,
    cl412,
    cl413,
    cl414,
    cl415,
    cl416,
    cl417,
    cl418,
)

_MODULES = (
    *(cl100, cl101, cl102, cl103, cl104, cl105, cl106, cl107, cl108, cl109, cl110, cl111, cl112),
    *(
        cl201,
        cl202,
        cl203,
        cl204,
        cl205,
        cl206,
        cl207,
        cl208,
        cl209,
        cl210,
        cl211,
        cl212,
        cl213,
        cl214,
        cl215,
        cl216,
        cl217,
        cl218,
        cl219,
    ),
    *(cl301, cl302, cl303, cl304, cl305, cl306, cl307, cl308, cl309, cl310, cl311, cl312, cl313),
    *(
        cl401,
        cl402,
        cl403,
        cl404,
        cl405,
        cl406,
        cl407,
        cl408,
        cl409,
        cl410,
        cl411,
        cl412,
        cl413,
        cl414,
        cl415,
        cl416,
        cl417,
        cl418,
    ),
)

DIAGNOSES: Registry[Diagnosis] = Registry("clusterlab.diagnoses", Diagnosis, [module.CODE for module in _MODULES])
"""Every diagnosis by its code, those of other packages too."""


def code_of(cause: str) -> str:
    """The doctor code that means the same as a failed precondition, or "".

    A precondition such as "engine-down".
    """
    return next((one.code for one in DIAGNOSES.values() if cause in one.causes), "")
