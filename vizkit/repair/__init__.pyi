from vizkit.repair._check import Finding as Finding
from vizkit.repair._check import check as check
from vizkit.repair._repair import RepairResult as RepairResult
from vizkit.repair._repair import repair as repair
