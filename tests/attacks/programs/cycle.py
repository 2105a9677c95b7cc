"""Returns a list and a dict that contain themselves."""


def steps_between(numbers):
    loop = []
    loop.append({"loop": loop})
    loop.append(loop)
    return loop
