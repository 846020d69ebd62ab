"""Labels that Docker gives to what it creates for services and stacks."""

SERVICE = "com.docker.swarm.service.name"
"""Of a task's container: the name of its service."""
SERVICE_ID = "com.docker.swarm.service.id"
TASK = "com.docker.swarm.task.name"
TASK_ID = "com.docker.swarm.task.id"
STACK = "com.docker.stack.namespace"
"""Of whatever belongs to a stack: the stack's name."""
