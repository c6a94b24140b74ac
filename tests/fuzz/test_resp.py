"""Arrays of bulk strings against Q1 to Q4 of request.h."""

import fuzzing


class Resp(fuzzing.Target):
    name = "resp"
