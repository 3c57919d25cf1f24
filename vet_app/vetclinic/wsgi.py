"""The WSGI application that gunicorn serves: `gunicorn vetclinic.wsgi`."""

from vetclinic.start import configure

configure()

from django.core.wsgi import get_wsgi_application  # noqa: E402 -- after the settings are known good

application = get_wsgi_application()
