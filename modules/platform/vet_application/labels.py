"""Names and labels by which the application's objects and the cluster's other pods find each other."""

NAME = "vet-app"
"""Of the Deployment, its Service, its Ingress and what belongs to them (architecture: ``Selector: app=vet-app``)."""

SELECTOR = {"app": NAME}
"""Pods that answer requests; tasks have another ``app``, so that the Service never sends them any."""

PART_OF = {"app.kubernetes.io/part-of": NAME}
"""All pods of the application: those that answer requests and those of tasks."""

HTTP = "http"
"""What a pod calls the port on which it answers. By this name the Service and the policies follow each pod to its own number while pods change it."""

SECRET = "vet-app-secret"
"""The Secret that is made in the cluster and kept (``helm-values/vet-app-secret.yaml``)."""

REPLICAS = "settings/application.replicas"
"""Annotation of the Deployment: what ``application.replicas`` said at the last deploy."""

EMAIL_SECRET = "vet-app-email"
"""The Secret with the key ``EMAIL_URL`` that the team makes where e-mail is on."""


def labels(component: str) -> dict[str, str]:
    """Labels of an object (Kubernetes: recommended labels)."""
    return {**SELECTOR, **PART_OF, "app.kubernetes.io/component": component}


def task_labels(task: str) -> dict[str, str]:
    """Labels of a task's objects and pods."""
    return {"app": f"{NAME}-{task}", **PART_OF, "app.kubernetes.io/component": task}
