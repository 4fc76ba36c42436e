"""The company of the random test of the queue: the statements of random_statements on so few lines, extensions and numbers
that everything meets everything, and besides what concerns dates and suspension."""
import random_statements
from random_statements import Company, Statement, line

FEW = {"LINES": 12, "FIRST_LINES": 8, "DEVICES": 6, "EXTENSIONS": 18, "NUMBERS": 18, "EXTRA_NUMBERS": 6, "MACS": 10}


class ModelCompany(Company):
    """Draws transactions as Company does, of seats and numbers: that is what its switch in memory knows."""

    FEATURES = ()

    def __init__(self, seed):
        for name, number in FEW.items():
            setattr(random_statements, name, number)
        super().__init__(seed)

    def usoc(self):
        return f"{line(self.line())}-{self.random.choice(['seat', 'number'])}"

    def begin_later(self):
        return [Statement("UPDATE tbs.line_usoc SET active_date = current_date + %s::integer WHERE external_id = %s",
                          (self.random.choice([None, 0, 1, 2]), self.usoc()))]

    def end_later(self):
        return [Statement("UPDATE tbs.line_usoc SET disconnect_date = current_date + %s::integer WHERE external_id = %s",
                          (self.random.choice([None, -1, 0, 1, 2]), self.usoc()))]

    def suspend(self):
        return [Statement("UPDATE tbs.line SET suspended = NOT suspended WHERE external_id = %s", (line(self.line()),))]

    def end_in_one_go(self):
        """A clerk changes a line's mind within one transaction: gone, and there again."""
        number = self.line()
        remove = Statement("DELETE FROM tbs.line WHERE external_id = %s", (line(number),))
        return [remove, self.insert_line(number, self.extension(), self.number(), "SEAT", "DID")]


# What concerns many lines at once is rarer here: it fills the queue with what is alike.
MANY = {Company.rename_many: 0.5, Company.quantity: 0.5, Company.merge: 1, Company.edit_information: 0.2, Company.rename_site: 0.3,
        Company.rename_domain: 0.3, Company.customer_parameters: 0.05}
ModelCompany.WORK = [(work, MANY.get(work, weight)) for work, weight in Company.WORK] + [
    (ModelCompany.begin_later, 4), (ModelCompany.end_later, 4), (ModelCompany.suspend, 3), (ModelCompany.end_in_one_go, 3)]
