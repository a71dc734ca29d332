"""What can be done with clothes in pictures: one typed request for each task, and the atelier that does them.

The command line, the web page, the catalogue, the service and the ComfyUI nodes all stand on this package.
Nothing heavy is imported before a model is needed.
"""
