"""`python -m clusterlab`.

The program, where the environment's scripts are not on the path.
"""

from clusterlab.cli.main import main

main()
